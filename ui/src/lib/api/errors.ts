import type { ApiErrorBody } from "./types";

/** Codes the console itself gives to failures that never reached the engine. */
export const UNREACHABLE = "unreachable";
export const UNREADABLE = "unreadable_answer";
/** The engine's own, where the system's keyring has the key of signing secrets and does not answer. */
export const KEYRING_UNAVAILABLE = "keyring_unavailable";
/** The engine's own, for a key that has made all the calls it may for now. */
const SPENT = "rate_limit_exceeded";

/** Any failed call. Matched by `code`; the message is for reading only. */
export class ApiFailure extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string;
  readonly details: NonNullable<ApiErrorBody["details"]>;
  /** Seconds to wait before asking again, where the engine named them. */
  readonly retryAfter: number | null;
  /** When that is, in milliseconds since 1970. */
  readonly retryAt: number | null;

  constructor(body: Partial<ApiErrorBody> & { code: string; message: string }, retryAfter: number | null = null) {
    super(quoted(body.message));
    this.name = "ApiFailure";
    this.code = body.code;
    this.status = body.status ?? 0;
    this.requestId = body.requestId ?? "";
    const { errors } = body.details ?? {};
    this.details = { ...body.details, ...(errors && { errors: errors.map((error) => ({ ...error, message: quoted(error.message) })) }) };
    this.retryAfter = retryAfter;
    this.retryAt = retryAfter === null ? null : Date.now() + retryAfter * 1_000;
  }

  get isAuth(): boolean {
    return this.status === 401;
  }

  /** The key has made all the calls it may for now. */
  get isSpent(): boolean {
    return this.code === SPENT;
  }

  /** The key's scope does not reach so far. */
  get isForbidden(): boolean {
    return this.code === "insufficient_permissions";
  }

  /** The system's keyring does not answer. */
  get isKeyringSilent(): boolean {
    return this.code === KEYRING_UNAVAILABLE;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
}

/** Reads `{"error": {…}}` or the bare object; whatever else came is an unreadable answer, said as such. */
export function failureFrom(text: string, status: number, retryAfter: number | null = null): ApiFailure {
  try {
    const parsed: unknown = JSON.parse(text);
    const body = isObject(parsed) && isObject(parsed.error) ? parsed.error : parsed;
    if (isObject(body) && typeof body.code === "string" && typeof body.message === "string") {
      return new ApiFailure({ status, ...body } as ApiErrorBody, retryAfter);
    }
  } catch {
    // Not JSON: said below.
  }
  return new ApiFailure({ code: UNREADABLE, message: text.slice(0, 200) || `HTTP ${status}`, status });
}

/** Anything thrown, as an `ApiFailure`. */
export function asFailure(thrown: unknown): ApiFailure {
  if (thrown instanceof ApiFailure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiFailure({ code: UNREACHABLE, message });
}

/** What is wrong with which field. A nested name (`eventFilter.eventType`) also answers for its first part. */
export function fieldErrors(failure: ApiFailure | null | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  if (!failure) return found;
  const put = (field: string | undefined, message: string) => {
    if (!field) return;
    found[field] ??= message;
    const first = field.split(/[.[]/)[0]!;
    found[first] ??= message;
  };
  for (const error of failure.details.errors ?? []) put(error.field, error.message);
  put(failure.details.field, failure.message);
  return found;
}

/** The engine marks names with backticks; a reader sees quotation marks. */
function quoted(message: string): string {
  return message.replace(/`([^`]*)`/g, "“$1”");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
