"use strict";
// Makes the cancel / return form nicer: the result follows every choice, and links and buttons open it as a dialog.
// Everything works without this file; what it shows always comes from the server.

(() => {
    const FRAGMENT = { "X-Fragment": "1" };
    const TYPING_PAUSE = 250;

    function parse(html) {
        return new DOMParser().parseFromString(html, "text/html").querySelector("[data-cancel-form]");
    }

    class CancelForm {
        constructor(box, { dialog = null } = {}) {
            this.dialog = dialog;
            this.timer = 0;
            this.round = 0;
            this.sending = false;
            this.adopt(box);
        }

        adopt(box) {
            this.box = box;
            this.form = box.querySelector("form");
            const preview = box.querySelector("[data-preview]");
            if (preview) preview.hidden = true;
            this.form.addEventListener("input", (event) => this.changed(event));
            this.form.addEventListener("keydown", (event) => this.enter(event));
            this.form.addEventListener("submit", (event) => this.submit(event));
            if (this.dialog) {
                for (const keep of box.querySelectorAll("[data-keep]")) {
                    keep.addEventListener("click", (event) => {
                        event.preventDefault();
                        this.dialog.close();
                    });
                }
            }
        }

        changed(event) {
            const input = event.target;
            if (!("liveInput" in input.dataset)) return;
            this.oneOfBoth(input);
            this.busy(true);
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.refresh(), input.type === "checkbox" ? 0 : TYPING_PAUSE);
        }

        // Days and date say the same thing: filling in one empties the other.
        oneOfBoth(input) {
            const [what, ref] = input.name.split("_");
            const other = { days: "until", until: "days" }[what];
            if (other && input.value) this.form.elements[`${other}_${ref}`].value = "";
        }

        enter(event) {
            if (event.key !== "Enter" || !("liveInput" in event.target.dataset)) return;
            event.preventDefault();
            clearTimeout(this.timer);
            this.refresh();
        }

        busy(is) {
            const button = this.box.querySelector("[data-confirm]");
            if (!button) return;
            if (is) button.setAttribute("aria-disabled", "true");
            else button.removeAttribute("aria-disabled");
        }

        send(name) {
            const body = new FormData(this.form);
            body.set(name, "1");
            return fetch(this.form.action, { method: "POST", body, headers: FRAGMENT, credentials: "same-origin" });
        }

        async refresh() {
            const round = ++this.round;
            this.busy(true);
            try {
                const fresh = parse(await (await this.send("_preview")).text());
                if (round !== this.round) return;
                if (!fresh) throw new Error("no form came back");
                this.show(fresh);
                this.busy(false);
            } catch {
                // Without an answer the plain way stays open: Preview shows what is wrong.
                if (round !== this.round) return;
                this.box.querySelector("[data-preview]").hidden = false;
                this.busy(false);
            }
        }

        // Swap what has changed and leave the fields, and so the focus, alone; when the fields differ, swap everything.
        show(fresh) {
            if (fresh.dataset.shape !== this.box.dataset.shape) {
                this.replace(fresh);
                return;
            }
            for (const part of fresh.querySelectorAll("[data-live]")) {
                const here = this.box.querySelector(`[data-live="${part.dataset.live}"]`);
                if (here && here.innerHTML !== part.innerHTML) here.replaceChildren(...part.childNodes);
            }
            for (const input of this.form.querySelectorAll("[data-live-input]")) {
                const wrong = fresh.querySelector(`[name="${input.name}"]`)?.getAttribute("aria-invalid");
                if (wrong) input.setAttribute("aria-invalid", wrong);
                else input.removeAttribute("aria-invalid");
            }
            this.box.querySelector(".cf-confirm-was")?.remove();
        }

        replace(fresh) {
            const name = document.activeElement?.name;
            this.box.replaceWith(fresh);
            this.adopt(fresh);
            const said = fresh.querySelector("[data-said]");
            const again = name && this.form.elements[name];
            (said || (again instanceof HTMLElement ? again : null) || fresh.querySelector("input:not([type=hidden])"))?.focus();
        }

        async submit(event) {
            const button = event.submitter;
            if (button && "preview" in button.dataset) {
                event.preventDefault();
                this.refresh();
            } else if (this.sending || this.box.querySelector("[data-confirm][aria-disabled]")) {
                event.preventDefault();
            } else if (this.dialog) {
                event.preventDefault();
                await this.confirm();
            } else {
                this.sending = true;
            }
        }

        async confirm() {
            this.sending = true;
            this.busy(true);
            try {
                const answer = await this.send("_confirm");
                const address = answer.headers.get("X-Location");
                if (address) {
                    window.location.assign(address);
                    return;
                }
                this.replace(parse(await answer.text()));
            } catch {
                // The connection failed: send the form the plain way, which is safe to repeat.
                this.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "_confirm", value: "1" }));
                this.form.submit();
                return;
            }
            this.sending = false;
            this.busy(false);
        }
    }

    async function openDialog(address) {
        let box = null;
        try {
            const answer = await fetch(address, { headers: FRAGMENT, credentials: "same-origin" });
            box = answer.ok ? parse(await answer.text()) : null;
        } catch {
            box = null;
        }
        if (!box) {
            window.location.assign(address);
            return;
        }
        const dialog = document.createElement("dialog");
        dialog.className = "cf-dialog";
        dialog.setAttribute("aria-labelledby", "cf-title");
        dialog.append(box);
        // Outside clicks never close it: what was filled in must not be lost by a slip. Escape and Keep order do.
        dialog.addEventListener("close", () => dialog.remove());
        document.body.append(dialog);
        new CancelForm(box, { dialog });
        dialog.showModal();
    }

    function plainClick(event) {
        return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    }

    document.addEventListener("click", (event) => {
        const link = event.target.closest?.("a[data-cancel-dialog]");
        if (!link || !plainClick(event)) return;
        event.preventDefault();
        openDialog(link.href);
    });

    // The status field of the order page: choosing Cancelled opens the form before anything is saved (M1).
    function statusForm(form) {
        const select = form.querySelector("select[data-cancel-dialog]");
        return select && select.value === "cancelled" ? select.dataset.cancelDialog : null;
    }

    // The list's action with exactly one order chosen (M1).
    function chosenInList(form) {
        const action = form.querySelector("select[name=action]");
        const option = action?.selectedOptions[0];
        const chosen = form.querySelectorAll("input.action-select:checked");
        if (option?.value !== "cancel_one" || chosen.length !== 1) return null;
        return `${window.location.pathname.replace(/\/$/, "")}/${encodeURIComponent(chosen[0].value)}/cancel/`;
    }

    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.closest("[data-cancel-form]")) return;
        const address = statusForm(form) || (form.id === "changelist-form" ? chosenInList(form) : null);
        if (!address) return;
        event.preventDefault();
        openDialog(address);
    });

    document.addEventListener("DOMContentLoaded", () => {
        const box = document.querySelector("[data-cancel-form]");
        if (!box) return;
        new CancelForm(box);
        box.querySelector("[data-said]")?.focus();
    });
})();
