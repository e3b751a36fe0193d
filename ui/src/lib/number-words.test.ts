import { describe, expect, it } from "vitest";
import { numberFault } from "./number-words";

describe("why a number is not taken", () => {
  it("is how to write it, where it is none", () => {
    expect(numberFault("1,5", "Enter a number.")).toBe("Write it like 1.5 or 1,000.");
    expect(numberFault("1.000,50", "Enter a number.")).toBe("Write it like 1.5 or 1,000.");
    expect(numberFault("12.3456789012", "Enter a number.")).toBe("At most 9 digits after the decimal mark.");
    expect(numberFault("1234567890123456789", "Enter a number.")).toBe("At most 18 digits before the decimal mark.");
  });

  it("is what the field asks for, where it is one or nothing was typed", () => {
    expect(numberFault("", "Enter a number above 0.")).toBe("Enter a number above 0.");
    expect(numberFault("none", "Enter a number above 0.")).toBe("Enter a number above 0.");
    expect(numberFault("-5", "Enter a number above 0.")).toBe("Enter a number above 0.");
  });
});
