// Counts again as the choice changes; without JavaScript the button beside Save does.
"use strict";

for (const form of document.querySelectorAll("form[data-setting-card]")) {
    const effect = form.querySelector("[data-effect]");
    const preview = form.querySelector("button[name=_preview]");
    if (!effect || !preview) continue;
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
            const shown = page.querySelector(`#${CSS.escape(form.parentElement.id)} [data-effect]`);
            if (shown && mine === latest) effect.textContent = shown.textContent;
        } catch {
            preview.hidden = false;
        }
    });
}
