// Live numbers: on an event the page is fetched again, and what differs is put in its place. All
// that is shown is written, and escaped, by the server.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main || !window.EventSource) return;
  const light = document.getElementById("live");
  const every = Number(main.dataset.every) * 1000;
  const RETRY = 10000;
  // The server sends a picture each second.
  const SILENCE = 5000;
  // A browser opens six connections to a host, for all tabs together. So many of them may listen,
  // each while it holds one of these locks; the others ask from time to time.
  const STREAMS = ["qsuper stream 1", "qsuper stream 2", "qsuper stream 3"];
  const ASKING = 5000;
  let busy = false;
  let missed = false;
  let fetched = true;
  let last = performance.now();
  let source = null;
  // When the source said something last; 0 before it has.
  let heard = 0;
  let release = () => {};
  let turn = 0;
  let later = 0;

  const say = (live) => {
    light.hidden = false;
    light.classList.toggle("lost", !live);
    const text = live ? "live" : "not live";
    if (light.textContent !== text) light.textContent = text;
  };
  const shine = () => {
    if (!source) say(fetched);
    else if (heard) say(fetched && performance.now() - heard < SILENCE);
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
      fetched = true;
    } catch {
      fetched = false;
    } finally {
      busy = false;
      shine();
      if (missed) {
        missed = false;
        if (!every) refresh();
      }
    }
  };

  const due = () => performance.now() - last >= every - 200;

  const open = () => {
    source = new EventSource(main.dataset.live);
    heard = 0;
    const hear = () => {
      heard = performance.now();
      shine();
    };
    source.addEventListener("open", hear);
    source.addEventListener("picture", () => {
      hear();
      if (every && due()) refresh();
    });
    source.addEventListener("job", () => { if (!every) refresh(); });
    source.addEventListener("error", () => {
      heard = -Infinity;
      shine();
      if (source.readyState !== EventSource.CLOSED) return;
      rest();
      later = setTimeout(listen, RETRY);
    });
  };

  // Resolves to what gives the lock back; to null when another tab has it.
  const hold = (name) => new Promise((answer) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => (
      lock ? new Promise((free) => answer(free)) : answer(null)
    )).catch(() => answer(null));
  });

  const holdOne = async () => {
    // Only where the address is local or has TLS; elsewhere every tab that is seen listens.
    if (!navigator.locks) return () => {};
    for (const name of STREAMS) {
      const free = await hold(name);
      if (free) return free;
    }
    return null;
  };

  const listen = async () => {
    if (document.hidden) return;
    rest();
    const mine = turn;
    const free = await holdOne();
    if (mine !== turn) {
      free?.();
    } else if (free) {
      release = free;
      open();
    } else {
      shine();
      later = setTimeout(() => {
        refresh();
        listen();
      }, ASKING);
    }
  };

  const rest = () => {
    turn += 1;
    clearTimeout(later);
    source?.close();
    source = null;
    release();
    release = () => {};
  };

  setInterval(() => { if (source) shine(); }, 1000);
  document.addEventListener("visibilitychange", () => {
    rest();
    if (document.hidden) return;
    refresh();
    listen();
  });
  // What is asked for next shall find a free connection; if nothing comes of it, this page goes on.
  addEventListener("beforeunload", () => {
    rest();
    later = setTimeout(listen, RETRY);
  });
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
