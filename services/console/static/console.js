// Keeps a page up to date: the same URL as a stream of events brings its main part whenever it has changed.
// Everything works without this script; a page is then as old as its loading.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  const sign = document.getElementById("live");
  if (!main || !window.EventSource) return;

  // Makes `node` like `fresh` and touches only what differs, so that focus, selection, scrolling, what was typed and
  // which details were opened stay as they are.
  const liken = (node, fresh) => {
    if (node.nodeType !== fresh.nodeType || node.nodeName !== fresh.nodeName) return node.replaceWith(fresh.cloneNode(true));
    if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== fresh.data) node.data = fresh.data;
      return;
    }
    for (const { name } of [...node.attributes]) {
      if (!fresh.hasAttribute(name) && !(node.nodeName === "DETAILS" && name === "open")) node.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    likenChildren(node, fresh);
  };
  const likenChildren = (node, fresh) => {
    const old = [...node.childNodes];
    const made = [...fresh.childNodes];
    made.forEach((child, place) => (place < old.length ? liken(old[place], child) : node.append(child.cloneNode(true))));
    old.slice(made.length).forEach((child) => child.remove());
  };

  let source = null;
  const tell = (isOn) => {
    sign.textContent = isOn ? sign.dataset.on : sign.dataset.off;
    sign.className = isOn ? "live on" : "live off";
  };
  const begin = () => {
    if (source) return;
    source = new EventSource(location.href.split("#")[0]);
    source.onopen = () => tell(true);
    source.onerror = () => tell(false);
    source.addEventListener("page", (event) => {
      const fresh = new DOMParser().parseFromString(`<main>${event.data}</main>`, "text/html").querySelector("main");
      likenChildren(main, fresh);
    });
    source.addEventListener("ended", () => location.reload());
  };
  const end = () => {
    if (source) source.close();
    source = null;
  };

  // Nobody looks at a hidden page.
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  addEventListener("pagehide", end);
  if (!document.hidden) begin();
})();
