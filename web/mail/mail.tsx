import { mountScreen } from "../parts/mount.tsx";
import { Forgot } from "./forgot.tsx";
import { doorOfPath, MailLink } from "./mail-link.tsx";
import { SignInByMail } from "./sign-in-by-mail.tsx";

const door = doorOfPath(location.pathname);

if (door !== undefined) mountScreen(<MailLink door={door} />);
else if (location.pathname.startsWith("/sign-in/by-mail")) mountScreen(<SignInByMail />);
else mountScreen(<Forgot />);
