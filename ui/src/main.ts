import { windowHost } from "./host.ts";
import { open } from "./page.tsx";

void open(windowHost());
