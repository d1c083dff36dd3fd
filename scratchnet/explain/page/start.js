"use strict";
// What is stored in the page is packed: the description, the numbers, and the code that draws them.

async function unpacked(id) {
  const text = document.getElementById(id).textContent, bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  document.getElementById(id).remove();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
async function begin() {
  const code = document.createElement("script");
  code.textContent = new TextDecoder().decode(await unpacked("code")) + "\n//# sourceURL=explain.js";
  document.body.append(code);
  await start();
}
begin().catch(problem => { document.getElementById("main").textContent = "This page needs a browser of 2023 or later: " + problem.message; console.error(problem); });
