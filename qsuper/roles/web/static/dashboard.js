// Live numbers: on an event the page is fetched again, and what differs is put in its place. All
// that is shown is written, and escaped, by the server.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main || !window.EventSource) return;
  const light = document.getElementById("live");
  const every = Number(main.dataset.every) * 1000;
  const RETRY = 10000;
  let busy = false;
  let missed = false;
  let last = performance.now();

  const say = (live, text) => {
    light.hidden = false;
    light.classList.toggle("lost", !live);
    if (light.textContent !== text) light.textContent = text;
  };

  // The nodes stay, so that focus, selection and what was opened stay too.
  const morph = (old, fresh) => {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      const kept = name === "open" || (name === "value" && old.matches("input:not([type=hidden])"));
      if (!kept && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const keyed = new Map();
    for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
    let place = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const mine = wanted.dataset?.key && keyed.get(wanted.dataset.key);
      if (mine && mine !== place) place = old.insertBefore(mine, place);
      if (place && alike(place, wanted)) {
        if (place.nodeType === Node.ELEMENT_NODE) morph(place, wanted);
        else if (place.data !== wanted.data) place.data = wanted.data;
        place = place.nextSibling;
      } else {
        old.insertBefore(document.importNode(wanted, true), place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  };

  const alike = (a, b) =>
    a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.id === b.id
    && a.dataset?.key === b.dataset?.key && a.getAttribute?.("action") === b.getAttribute?.("action");

  const refresh = async () => {
    if (busy) {
      missed = true;
      return;
    }
    if (document.hidden || main.contains(document.activeElement?.closest("form.filters"))) return;
    busy = true;
    last = performance.now();
    try {
      const answer = await fetch(location.href, { redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main[data-live]");
      if (fresh) morph(main, fresh);
      say(true, "live");
    } catch {
      say(false, "not live");
    } finally {
      busy = false;
      if (missed) {
        missed = false;
        if (!every) refresh();
      }
    }
  };

  const listen = () => {
    const source = new EventSource(main.dataset.live);
    const due = () => {
      if (performance.now() - last >= every - 200) refresh();
    };
    source.addEventListener("open", () => say(true, "live"));
    source.addEventListener("picture", () => { if (every) due(); });
    source.addEventListener("job", () => { if (!every) refresh(); });
    source.addEventListener("error", () => {
      say(false, "not live");
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
