// The API of this server, called with the operator's key.

const KEY = "chatly.key";

/** An answer that was not the wanted one. */
export class ApiError extends Error {
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

let onRefused = () => {};

/** What happens when the key is no longer taken. */
export function whenRefused(callback) {
  onRefused = callback;
}

export const hasKey = () => Boolean(sessionStorage.getItem(KEY));
export const forgetKey = () => sessionStorage.removeItem(KEY);

/** Keeps the key if it is the right one; else throws what the server said. */
export async function signIn(key) {
  await call("GET", "/v1/conversations?limit=1", undefined, key);
  sessionStorage.setItem(KEY, key);
}

export const get = (path, query = {}) => {
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(set).toString();
  return guarded("GET", text ? `${path}?${text}` : path);
};
export const post = (path, body, headers = {}) => guarded("POST", path, body, headers);

/** An id as a part of a path. */
export const part = (id) => encodeURIComponent(id);

async function guarded(method, path, body, headers) {
  const key = sessionStorage.getItem(KEY);
  if (!key) throw new ApiError(401, "unauthorized", "You are signed out.");
  try {
    return await call(method, path, body, key, headers);
  } catch (error) {
    if (error.status === 401) onRefused();
    throw error;
  }
}

async function call(method, path, body, key, headers = {}) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
  } catch (cause) {
    // A key with characters that no header can hold is a wrong key, not a broken connection.
    if (/[^\x20-\x7e]/.test(key)) throw new ApiError(401, "unauthorized", "The key is not valid.");
    throw new ApiError(0, "unreachable", "The server cannot be reached.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new ApiError(response.status, answer.code ?? "", answer.detail ?? `The server answered ${response.status}.`);
  }
  return answer;
}
