/** The port that an address leads to; null for what is no address. */
export function portOf(address: string): string | null {
  try {
    const url = new URL(address);
    return url.port || { "http:": "80", "https:": "443" }[url.protocol] || null;
  } catch {
    return null;
  }
}
