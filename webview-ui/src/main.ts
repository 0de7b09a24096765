import { connectHost } from "./host.ts";
import { Sheet } from "./sheet.ts";
import "./style.css";
import "./form.css";

const TICK_MS = 1_000;

const host = connectHost();
const sheet = new Sheet(host);
const page = document.getElementById("page");

host.listen((message) => {
  if (message.type === "language") sheet.speak(message.locale, message.texts);
  else if (message.type === "announce") sheet.announce(message.text);
  else if (message.type === "copied") sheet.copied(message.what);
  else if (page) sheet.update(message, page);
});

// `C` copies, unless somebody is typing
document.addEventListener("keydown", (event) => {
  const isTyping =
    event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (isTyping || event.key !== "c" || event.ctrlKey || event.metaKey || event.altKey) return;
  document.querySelector<HTMLButtonElement>('[data-key="copy"]')?.click();
});

setInterval(() => sheet.tick(Date.now()), TICK_MS);
host.post({ type: "ready" });
