/** Memory that bodies may take before they are read whole, over all connections. */
export interface BodyBudget {
  /** False where the budget is spent: then the request MUST be refused before its body is read. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createBodyBudget(most: number): BodyBudget {
  let held = 0;
  return {
    take(bytes) {
      if (held + bytes > most) return false;
      held += bytes;
      return true;
    },
    give(bytes) {
      held -= bytes;
    },
  };
}
