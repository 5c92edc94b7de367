import { useEffect, useState } from "preact/hooks";
import { partWords as words } from "./part-words.ts";

/** Grey lines where something will be, from 300 ms on: what is quicker does not flicker. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  const isLate = useIsLate(300);
  return (
    <div class={isLate ? "skeleton shown" : "skeleton"} role="status">
      {isLate ? <span class="away">{words.loading}</span> : null}
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} class="skeleton-line" />
      ))}
    </div>
  );
}

function useIsLate(milliseconds: number): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), milliseconds);
    return () => clearTimeout(timer);
  }, [milliseconds]);
  return isLate;
}
