import { describe, expect, it } from "vitest";
import { csv } from "./csv";

describe("csv", () => {
  it("quotes what needs it and keeps numbers bare", () => {
    expect(csv(["a", "b"], [["x,y", 'say "hi"'], ["line\nbreak", -12.5], [null, undefined]])).toBe(
      '\ufeffa,b\r\n"x,y","say ""hi"""\r\n"line\nbreak",-12.5\r\n,\r\n',
    );
  });

  it("disarms what a spreadsheet would run", () => {
    expect(csv(["v"], [["=1+1"], ["@cmd"], ["-5"], ["-a"]])).toBe("\ufeffv\r\n'=1+1\r\n'@cmd\r\n-5\r\n'-a\r\n");
  });
});
