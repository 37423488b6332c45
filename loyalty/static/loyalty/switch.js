// A switch acts without leaving the page, so that what is typed in other cards stays; without JavaScript it is a button.
"use strict";

for (const form of document.querySelectorAll("form[data-setting-switch]")) {
    const button = form.querySelector("button[role=switch]");
    const done = form.querySelector("[data-done]");
    let isBusy = false;

    // The other cards were filled in from the version before: they go on from the switch's, unless somebody else saved.
    const goOn = (before, after) => {
        if (Number(after) > Number(before) + 1) return;
        for (const other of document.querySelectorAll("form[data-setting-card] [name=version], form[data-setting-switch] [name=version]")) {
            if (other.value === before) other.value = after;
        }
    };
    const take = (page, card) => {
        const answered = card.querySelector("button[role=switch]");
        const before = form.elements.version.value;
        const after = card.querySelector("[name=version]").value;
        const isStale = page.querySelector("[data-stale]");
        document.querySelector("[data-stale]")?.remove();
        if (isStale) form.closest("section").before(isStale);
        else goOn(before, after);
        form.elements.version.value = after;
        button.value = answered.value;
        button.setAttribute("aria-checked", answered.getAttribute("aria-checked"));
        for (const part of ["[data-state]", "[data-warnings]", "[data-effect]"]) {
            form.querySelector(part)?.replaceChildren(...(card.querySelector(part)?.childNodes ?? []));
        }
        const isOn = answered.getAttribute("aria-checked") === "true";
        done.textContent = isStale ? "" : isOn ? done.dataset.on : done.dataset.off;
        document.getElementById("history").replaceChildren(...page.getElementById("history").childNodes);
        for (const other of document.querySelectorAll("form[data-setting-card]")) other.dispatchEvent(new Event("change"));
    };

    form.addEventListener("submit", async (event) => {
        if ("plain" in form.dataset) return;
        event.preventDefault();
        if (isBusy) return;
        isBusy = true;
        done.textContent = "";
        try {
            const sent = new FormData(form, button);
            const answer = await fetch(form.action, { method: "POST", body: sent });
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            const card = page.getElementById(form.closest("section").id);
            if (!answer.ok || !card) throw new Error("Not this page.");
            take(page, card);
        } catch {
            // Signed out, or away: the browser asks itself, and shows what comes.
            form.dataset.plain = "";
            form.requestSubmit(button);
        } finally {
            isBusy = false;
        }
    });
}
