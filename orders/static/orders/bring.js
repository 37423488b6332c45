// Sends a file in parts, shows how far it is, and goes on where it broke off. Without this file the form sends it whole.
"use strict";

for (const form of document.querySelectorAll("form[data-bring]")) {
    const chooser = form.querySelector("[data-file]");
    const bar = form.querySelector("progress");
    const words = form.querySelector("[data-words]");
    const button = form.querySelector("button[type=submit]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const partSize = Number(form.dataset.partSize);
    // The theme's own file fields have a text beside them for the name, and it looks for that; the browser's need none.
    chooser.hasChangeListener = true;

    function say(text, wrong = false) {
        words.textContent = text;
        words.classList.toggle("field-error", wrong);
        words.hidden = false;
    }

    async function post(address, fields) {
        const body = new FormData();
        body.set("csrfmiddlewaretoken", token);
        for (const [name, value] of Object.entries(fields)) body.set(name, value);
        const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
        const said = await answer.json();
        if (!answer.ok) throw new Error(said.error);
        return said;
    }

    async function send(file) {
        let { resume: address, next, received, then } = form.dataset;
        if (!address) ({ parts: address, next, received, then } = await post(form.action, { name: file.name, size: file.size }));
        else if (Number(form.dataset.size) !== file.size) throw new Error(form.dataset.otherFile);
        let number = Number(next);
        let at = Number(received);
        bar.max = file.size;
        bar.hidden = false;
        while (at < file.size) {
            const part = file.slice(at, at + partSize);
            const said = await post(address, { number, part });
            if (said.failed) throw new Error(said.failed);
            at = said.received;
            number += 1;
            bar.value = at;
            say(`${Math.floor((at / file.size) * 100)} %`);
        }
        location.assign(then);
    }

    form.addEventListener("submit", async (event) => {
        const file = chooser.files[0];
        if (!file) return;
        event.preventDefault();
        button.disabled = true;
        try {
            await send(file);
        } catch (error) {
            // Also when the connection is gone: the same button goes on with what is missing.
            say(error instanceof SyntaxError || error instanceof TypeError ? form.dataset.brokenOff : error.message, true);
            button.disabled = false;
        }
    });
}
