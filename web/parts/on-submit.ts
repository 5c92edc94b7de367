/** A form's `onSubmit` that does this and leaves the page where it is. */
export function onSubmit(run: () => unknown): (event: Event) => void {
  return (event) => {
    event.preventDefault();
    void run();
  };
}
