/* Reads command lines as people type or paste them: "/quiz questions:3 seconds:10". */

/** @param {{name: string}[]} options */
function marks(options) {
  const names = options.map((option) => option.name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return names.length ? new RegExp(`(?:^|\\s)(${names.join("|")}):`, "g") : null;
}

/** The command a line begins with, if at least one of its options follows. */
export function matchLine(entries, line) {
  for (const entry of entries) {
    const start = `${entry.invocation} `;
    if (!line.toLowerCase().startsWith(start.toLowerCase())) continue;
    const rest = line.slice(entry.invocation.length);
    if (marks(entry.options)?.test(rest)) return { entry, rest };
  }
  return null;
}

/** "questions:3 seconds:10" as options with their texts. */
export function readOptions(options, rest) {
  const found = [...rest.matchAll(marks(options) || /$^/g)];
  return found.map((match, index) => ({
    option: options.find((option) => option.name === match[1]),
    text: rest.slice(match.index + match[0].length, found[index + 1]?.index ?? rest.length).trim(),
  }));
}

/** Within one option's field: "3 seconds:" ends that option and begins another. */
export function nextOption(options, option, text) {
  const match = marks(options.filter((other) => other.name !== option.name))?.exec(text);
  return match && match.index > 0 ? { text: text.slice(0, match.index).trim(), rest: text.slice(match.index) } : null;
}

/** The picker's value for a text: "#daily" and "@Ada" name something, choices are meant by their names. */
export function optionFromText(option, text) {
  const entity = window.quizformerEntity?.(option.type, text);
  if (entity) return { raw: entity.id, entity };
  if (option.type === "boolean" && /^(true|false)$/i.test(text)) return { raw: text.toLowerCase() === "true" };
  const choice = (option.choices || []).find((item) => String(item.name).toLowerCase() === text.toLowerCase());
  return choice ? { raw: String(choice.value), label: choice.name } : { raw: text };
}
