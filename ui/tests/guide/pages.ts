/** The blocks of code of a page. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./weir";

/** What is run; a block of another language is for reading. */
export type Language = "sh" | "python" | "ts";

export interface Block {
  section: string;
  language: Language;
  code: string;
  line: number;
}

const RUN = new Set(["sh", "python", "ts"]);
const READ = new Set(["console", "json", "toml"]);

export function blocks(page: string): Block[] {
  const found: Block[] = [];
  let section = "";
  let open: (Omit<Block, "language"> & { language: string }) | undefined;
  readFileSync(join(ROOT, page), "utf8")
    .split("\n")
    .forEach((line, at) => {
      const fence = /^```(.*)$/.exec(line);
      if (open && fence) {
        if (RUN.has(open.language)) found.push(open as Block);
        else if (!READ.has(open.language)) throw new Error(`${page}:${open.line}: what is \`${open.language}\`?`);
        open = undefined;
      } else if (open) open.code += `${line}\n`;
      else if (fence) open = { section, language: fence[1]!, code: "", line: at + 1 };
      else section = /^## (.*)$/.exec(line)?.[1] ?? section;
    });
  if (open) throw new Error(`${page}:${open.line}: the block does not end`);
  return found;
}
