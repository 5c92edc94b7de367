import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readCommonPasswords } from "../../platform/common-passwords.ts";
import { generatePassword, loadCommonPasswords, passwordFaults } from "./password-policy.ts";

const strict = { lengthMin: 15, checked: true };
const account = ["ada.lovelace@analytical.example", "Ada King"];

function codes(password: string, policy = strict, words: readonly string[] = account): string[] {
  return passwordFaults(policy, password, words).map(({ code }) => code);
}

describe("length of passwords", () => {
  // NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.1 (requirement 1)
  for (const lengthMin of [6, 8, 15]) {
    it(`takes ${lengthMin} code points and not one less, whatever the letters`, () => {
      const policy = { lengthMin, checked: true };
      for (const letter of ["x", "é", "🦉", "漢"]) {
        assert.deepEqual(passwordFaults(policy, letter.repeat(lengthMin - 1), account), [
          { code: "too-short", detail: `must have at least ${lengthMin} characters` },
        ]);
        assert.deepEqual(passwordFaults(policy, letter.repeat(lengthMin), account), []);
      }
    });
  }

  it("counts letters as they are hashed: composed", () => {
    assert.deepEqual(codes("e\u0301".repeat(14)), ["too-short"]);
    assert.deepEqual(codes("e\u0301".repeat(15)), []);
  });

  // ASVS 6.2.9 (requirement 2)
  it("takes 64 and 256 characters, and up to 1,024 bytes", () => {
    for (const length of [64, 256, 1024]) assert.deepEqual(codes("x".repeat(length)), []);
    assert.deepEqual(codes("é".repeat(512)), []);
    assert.deepEqual(codes("🦉".repeat(256)), []);
    const tooLong = [{ code: "too-long", detail: "must have at most 1024 bytes of UTF-8" }];
    for (const password of ["x".repeat(1025), `${"é".repeat(512)}x`, `${"🦉".repeat(256)}x`, "x".repeat(2 ** 20)]) {
      assert.deepEqual(passwordFaults(strict, password, account), tooLong);
    }
  });
});

describe("letters of passwords", () => {
  // ASVS 6.2.5 (requirement 4)
  it("demands no composition: all lower case, digits, spaces and emoji will do", () => {
    for (const password of [
      "quietly humming owls",
      " ".repeat(15),
      "🦉🌧🎺".repeat(5),
      "859302746105938",
      "ÇÉÑÔÛÅÆØŒŠŽÝÞÐŁ",
    ]) {
      assert.deepEqual(codes(password), []);
    }
  });

  it("refuses lone surrogates, which UTF-8 cannot tell apart", () => {
    assert.deepEqual(codes(`${"x".repeat(15)}\ud83e`), ["unicode"]);
    assert.deepEqual(codes(`\udd89${"x".repeat(15)}`, { lengthMin: 6, checked: false }), ["unicode"]);
  });

  it("does not trim", () => {
    assert.deepEqual(codes(`${" ".repeat(7)}x${" ".repeat(7)}`), []);
  });
});

describe("guessable passwords", () => {
  // ASVS 6.2.4, 6.2.12 (requirement 6)
  it("refuses common ones, in any case, also written twice", () => {
    loadCommonPasswords();
    for (const password of ["passwordpassword", "PasswordPassword", "qwertyuiop12345", "letmeinletmeinletmein"]) {
      assert.deepEqual(codes(password), ["common"], password);
    }
    assert.deepEqual(codes("password", { lengthMin: 8, checked: true }), ["common"]);
  });

  it("knows the package's whole list, and refuses nothing that is a part of one, or made of two", () => {
    const require = createRequire(import.meta.url);
    const { dictionary } = require("@zxcvbn-ts/language-common") as typeof import("@zxcvbn-ts/language-common");
    const common = dictionary["passwords-common"];
    assert.equal(readCommonPasswords(), common.join("\n"));
    const listed = new Set(common.map((password) => password.toLowerCase()));
    for (const [at, password] of common.entries()) {
      assert.match(password, /^[!-~]+$/);
      if (at % 100 !== 0) continue;
      const next = common[at + 1] ?? "";
      const near = [`${password}\n${next}`, `\n${password}`, password.slice(1), `${password}~`, `${password}"`];
      for (const tried of [password, password.toUpperCase(), ...near]) {
        const repeated = tried.slice(0, (tried + tried).indexOf(tried, 1));
        const isCommon = codes(tried, { lengthMin: 1, checked: true }, []).includes("common");
        assert.equal(isCommon, listed.has(tried.toLowerCase()) || listed.has(repeated.toLowerCase()), tried);
      }
    }
  });

  // ASVS 6.1.2, 6.2.11 (requirement 7)
  it("refuses words of the account and of the service, and says which", () => {
    const ofEmail = [{ code: "context", detail: "must not contain your e-mail address or a part of it" }];
    const passwords = [
      "ada.lovelace@analytical.example",
      "xx ADA.Lovelace xx 99",
      "xxx analytical xxxxx",
      "analytical.example",
    ];
    for (const password of passwords) assert.deepEqual(passwordFaults(strict, password, account), ofEmail);
    const ofName = [{ code: "context", detail: "must not contain your display name" }];
    assert.deepEqual(passwordFaults(strict, "long live ada king!", account), ofName);
    const ofService = [{ code: "context", detail: "must not contain the name of this service" }];
    assert.deepEqual(passwordFaults(strict, "my TollGate password", account), ofService);
  });

  it("ignores words under four letters", () => {
    assert.deepEqual(codes("joe walks by the bay", strict, ["joe@bay.example", "Joe"]), []);
  });

  it("tells all faults at once, each once", () => {
    assert.deepEqual(codes("tollgate", strict, ["tollgate@example.com"]), ["too-short", "context", "context"]);
    assert.deepEqual(codes("password", strict, []), ["too-short", "common"]);
  });

  it("asks for nothing but length and Unicode where passwords are not checked", () => {
    assert.deepEqual(codes("password", { lengthMin: 6, checked: false }, account), []);
    assert.deepEqual(codes("ada.lovelace", { lengthMin: 6, checked: false }, account), []);
  });

  // ASVS 6.2.11 (requirement 7)
  it("refuses every password that contains one's own e-mail address, in any case", () => {
    const around = fc.string({ unit: "binary", maxLength: 40 });
    const property = fc.property(fc.emailAddress(), around, around, fc.boolean(), (email, before, after, upper) => {
      const password = `${before} ${upper ? email.toUpperCase() : email} ${after}`;
      assert.ok(codes(password, strict, [email]).includes("context"));
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe("generatePassword", () => {
  it("makes passwords of 128 bits or more that the policy accepts", () => {
    const made = new Set<string>();
    for (let count = 0; count < 100; count += 1) {
      const password = generatePassword((bytes) => {
        assert.ok(bytes >= 16);
        return randomBytes(bytes).toString("base64url");
      });
      assert.deepEqual(codes(password), []);
      made.add(password);
    }
    assert.equal(made.size, 100);
  });
});
