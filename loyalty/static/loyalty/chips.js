// Turns a text field with one tag a line into chips; Enter commits a tag, Backspace in an empty field takes the last.
"use strict";

const { addTag, tagsAdded, tagRemoved, removeTag } = document.getElementById("words").dataset;

for (const field of document.querySelectorAll("textarea[data-tags]")) {
    const label = field.labels[0];
    const box = document.createElement("div");
    const list = document.createElement("ul");
    const entry = document.createElement("input");
    const said = document.createElement("span");
    box.className = "chips";
    list.className = "chip-list";
    said.className = "sr-only";
    said.setAttribute("role", "status");
    entry.type = "text";
    entry.maxLength = 255;
    entry.placeholder = addTag;
    entry.setAttribute("autocapitalize", "off");
    entry.setAttribute("autocomplete", "off");
    entry.spellcheck = false;
    entry.id = `${field.id}_entry`;
    if (label) label.htmlFor = entry.id;
    box.append(list, entry, said);
    field.after(box);
    field.hidden = true;

    const tags = () => field.value.split("\n").map((tag) => tag.trim()).filter(Boolean);
    const same = (one, other) => one.toLowerCase() === other.toLowerCase();

    const change = (after, words) => {
        field.value = after.join("\n");
        said.textContent = words;
        show();
        field.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const add = (typed) => {
        const before = tags();
        const fresh = typed.split("\n").map((tag) => tag.trim()).filter((tag) => tag && !before.some((old) => same(old, tag)));
        entry.value = "";
        if (fresh.length) change([...before, ...fresh], tagsAdded.replace("%(tags)s", () => fresh.join(", ")));
    };
    const remove = (tag) => {
        change(tags().filter((old) => old !== tag), tagRemoved.replace("%(tag)s", () => tag));
        entry.focus();
    };
    const chip = (tag) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        item.className = "chip";
        item.append(tag);
        button.type = "button";
        button.textContent = "×";
        button.setAttribute("aria-label", removeTag.replace("%(tag)s", () => tag));
        button.addEventListener("click", () => remove(tag));
        item.append(button);
        return item;
    };
    const show = () => list.replaceChildren(...tags().map(chip));

    entry.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.isComposing) {
            event.preventDefault();
            add(entry.value);
        } else if (event.key === "Backspace" && !entry.value && tags().length) {
            remove(tags().at(-1));
        }
    });
    entry.addEventListener("paste", (event) => {
        const pasted = event.clipboardData.getData("text");
        if (!pasted.includes("\n")) return;
        event.preventDefault();
        add(entry.value + pasted.replaceAll("\r", ""));
    });
    // What is typed and not committed is meant all the same.
    entry.addEventListener("change", (event) => {
        event.stopPropagation();
        add(entry.value);
    });
    field.form.addEventListener("submit", () => add(entry.value));
    show();
}
