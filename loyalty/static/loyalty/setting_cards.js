// Tells what a choice means as it changes; without JavaScript the button beside Save does.
"use strict";

for (const form of document.querySelectorAll("form[data-setting-card]")) {
    const preview = form.querySelector("button[name=_preview]");
    if (!preview) continue;
    preview.hidden = true;
    let latest = 0;
    form.addEventListener("change", async () => {
        const mine = ++latest;
        const sent = new FormData(form);
        sent.set("_preview", "1");
        try {
            const answer = await fetch(form.action, { method: "POST", body: sent });
            if (!answer.ok || mine !== latest) return;
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            if (mine !== latest) return;
            for (const part of ["[data-effect]", "[data-warnings]"]) {
                const shown = page.querySelector(`#${CSS.escape(form.parentElement.id)} ${part}`);
                const here = form.querySelector(part);
                if (shown && here) here.replaceChildren(...shown.childNodes);
            }
        } catch {
            preview.hidden = false;
        }
    });
}
