import { open } from "../src/page.tsx";
import { fakeHost, sceneFromAddress } from "./host.ts";

void open(fakeHost(sceneFromAddress()));
