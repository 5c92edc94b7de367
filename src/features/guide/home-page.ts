export function homePage(_: { mode: string; publicUrl: string; databaseUp: boolean }): string { return "<h1>Tollgate</h1>"; }
