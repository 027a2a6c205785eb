// The parts of the page that show answers. Each mounts itself into one empty element.

export { callBox } from "./callbox";
export { compare } from "./compare";
export { drawing } from "./drawing";
export { expectations } from "./expectations";
export { grade } from "./grade";
export { meaning } from "./meaning";
export { program } from "./program";
export { tools } from "./tools";
