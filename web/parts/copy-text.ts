/** Copies, and says on the button for a moment whether it worked. */
export async function copyText(text: string, button: HTMLElement): Promise<void> {
  const words = button.textContent;
  const said = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "Not allowed: copy by hand",
  );
  button.textContent = said;
  setTimeout(() => {
    button.textContent = words;
  }, 2000);
}
