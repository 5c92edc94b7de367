import { visit } from "jsonc-parser";
import { Problem } from "../../contract/problems.ts";

const depthMax = 32;

/**
 * Reads a JSON body (RFC 8259) and refuses what two readers could understand differently:
 * bytes that are no UTF-8, a member given twice, nesting deeper than 32.
 * An empty body is `undefined`: whether one is needed, the schema says.
 *
 * @throws Problem `malformed-json`
 */
export function parseJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const text = decodeUtf8(bytes);
  refuseAmbiguity(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem("malformed-json", { cause });
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("malformed-json", { detail: "The body is not UTF-8. Send JSON in UTF-8.", cause });
  }
}

// JSON.parse lets the last of two equal members win; a proxy or a log in front may have read the first.
function refuseAmbiguity(text: string): void {
  const open: Set<string>[] = [];
  let depth = 0;
  const enter = (): void => {
    depth += 1;
    // Thrown here, so that a bomb of brackets is not followed down.
    if (depth > depthMax)
      throw new Problem("malformed-json", { detail: `The body is nested deeper than ${depthMax}.` });
  };
  visit(
    text,
    {
      onObjectBegin: () => {
        enter();
        open.push(new Set());
      },
      onObjectEnd: () => {
        depth -= 1;
        open.pop();
      },
      onArrayBegin: enter,
      onArrayEnd: () => {
        depth -= 1;
      },
      onObjectProperty: (name) => {
        const names = open.at(-1);
        if (names?.has(name)) {
          throw new Problem("malformed-json", {
            detail: `The member ${JSON.stringify(name.slice(0, 64))} is given twice.`,
          });
        }
        names?.add(name);
      },
    },
    { disallowComments: true, allowTrailingComma: false },
  );
}
