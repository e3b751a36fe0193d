/** Runs programs as a reader would: beside the client, with the address and the key in the environment. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import type { Language } from "./pages";
import { ROOT, type Weir } from "./weir";

export const CLIENTS = join(ROOT, "docs/clients");
/** As strict as a reader's own project may be. */
const STRICT = [
  ...["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--types", "node", "--skipLibCheck"],
  ...["--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--verbatimModuleSyntax"],
  // Node.js runs such files as they are.
  ...["--erasableSyntaxOnly", "--rewriteRelativeImportExtensions"],
];

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export async function run(weir: Weir, language: Language, code: string, more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return ended(await prepared(weir.folder, language, code), weir.folder, { ...weir.environment, ...more });
}

/** Starts a program that goes on until it is stopped. */
export async function start(weir: Weir, language: Language, code: string, more: NodeJS.ProcessEnv = {}): Promise<Started> {
  const [command, ...args] = await prepared(weir.folder, language, code);
  return new Started(spawn(command, args, { cwd: weir.folder, env: { ...weir.environment, ...more } }));
}

export class Started {
  stdout = "";
  stderr = "";

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.setEncoding("utf8").on("data", (part: string) => (this.stdout += part));
    child.stderr.setEncoding("utf8").on("data", (part: string) => (this.stderr += part));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}

/** Puts a program and what it imports into a folder: the command that runs it. */
async function prepared(folder: string, language: Language, code: string): Promise<[string, ...string[]]> {
  if (language === "python") {
    await copyFile(join(CLIENTS, "weir.py"), join(folder, "weir.py"));
    await writeFile(join(folder, "program.py"), code);
    return [process.env.WEIR_PYTHON ?? "python3", "program.py"];
  }
  if (language === "ts") {
    await packages(folder);
    await writeFile(join(folder, "weir.js"), compiled(await readFile(join(CLIENTS, "weir.ts"), "utf8")));
    await writeFile(join(folder, "program.js"), compiled(code));
    return [process.execPath, "program.js"];
  }
  return ["bash", "-euo", "pipefail", "-c", code];
}

/** Makes a folder one where packages are installed. */
async function packages(folder: string): Promise<void> {
  await writeFile(join(folder, "package.json"), `{"type": "module"}`);
  const modules = join(folder, "node_modules");
  if (!existsSync(modules)) await symlink(join(ROOT, "ui/node_modules"), modules);
}

function compiled(code: string): string {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

/** What the compiler says against these files, in a folder that they are written to. */
export async function complaints(folder: string, files: Record<string, string>): Promise<string> {
  await packages(folder);
  for (const [name, code] of Object.entries(files)) await writeFile(join(folder, name), code);
  const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const command: [string, ...string[]] = [process.execPath, compiler, ...STRICT, ...Object.keys(files)];
  const { stdout } = await ended(command, folder, process.env, 250_000);
  return stdout;
}

async function ended([command, ...args]: [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv, timeout = 50_000): Promise<Ended> {
  const child = spawn(command, args, { cwd, env, timeout, killSignal: "SIGKILL", stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (part: string) => (said.stdout += part));
  child.stderr.setEncoding("utf8").on("data", (part: string) => (said.stderr += part));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...said };
}
