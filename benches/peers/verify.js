// Verify only on Deno: `deno run --allow-net verify.js PORT`.
import { genuine } from "./genuine.js";

const text = new TextDecoder();

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]) }, async (request) => {
  const body = await request.arrayBuffer();
  if (!await genuine(request.headers.get("x-hub-signature-256"), body)) {
    return new Response(null, { status: 401 });
  }
  JSON.parse(text.decode(body));
  return new Response(null, { status: 200 });
});
