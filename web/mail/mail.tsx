import { mountScreen } from "../parts/mount.tsx";
import { Forgot } from "./forgot.tsx";
import { doorOfPath, MailLink } from "./mail-link.tsx";

const door = doorOfPath(location.pathname);

mountScreen(door === undefined ? <Forgot /> : <MailLink door={door} />);
