"use strict";
// Single keys on the walk through the queue. Everything they do is a button or a link that works without this file;
// whoever does not want them switches them off, and this browser remembers it.

(() => {
    const REMEMBERED = "queue-keys";
    const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

    function wanted() {
        return localStorage.getItem(REMEMBERED) !== "off";
    }

    function show() {
        document.documentElement.classList.toggle("keys-on", wanted());
        for (const help of document.querySelectorAll("[data-keys-help]")) help.hidden = !wanted();
    }

    function extendAll() {
        const boxes = [...document.querySelectorAll("[data-cancel-form] input[name^=extend_]")];
        const tick = boxes.some((box) => !box.checked);
        for (const box of boxes) if (box.checked !== tick) box.click();
        boxes[0]?.focus();
    }

    function press(key) {
        if (key === "e") extendAll();
        else document.querySelector(key === "r" ? "[data-cancel-form] [data-confirm]" : `[data-key="${CSS.escape(key)}"]`)?.click();
    }

    document.addEventListener("keydown", (event) => {
        if (!wanted() || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.key.length !== 1) return;
        if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
        press(event.key.toLowerCase());
    });

    document.addEventListener("DOMContentLoaded", () => {
        for (const label of document.querySelectorAll("[data-keys-switch]")) {
            const box = label.querySelector("input");
            label.hidden = false;
            box.checked = wanted();
            box.addEventListener("change", () => {
                localStorage.setItem(REMEMBERED, box.checked ? "on" : "off");
                show();
            });
        }
        show();
        // After a key that followed a link, browsers leave the focus where it was.
        document.querySelector("[autofocus]")?.focus();
    });
})();
