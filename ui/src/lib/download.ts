/** Taking things out of the console: the clipboard and files. */
import { t } from "./strings";
import { toasts } from "./state/toasts.svelte";

/** Copies, and says so when the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toasts.show(t.copyFailed, { tone: "danger" });
    return false;
  }
}

export function saveFile(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** `weir customers 2024-05-01.csv`: a name that every file system takes. */
export function fileName(...parts: string[]): string {
  const day = new Date().toISOString().slice(0, 10);
  return ["weir", ...parts, day].join(" ").replace(/[^\p{L}\p{N} ._-]/gu, "-").replace(/\s+/g, "-");
}
