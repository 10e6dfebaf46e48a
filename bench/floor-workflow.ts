import { condition, defineSignal, proxyLocalActivities, setHandler } from '@temporalio/workflow';

export const START_SIGNAL = 'start';

/** The least that a durable reaction to a signal can be: nothing before the effect, and an effect that does nothing. */
export async function floor(): Promise<void> {
  let id: string | null = null;
  setHandler(defineSignal<[string]>(START_SIGNAL), (value) => void (id = value));
  await condition(() => id !== null);
  const { touch } = proxyLocalActivities<{ touch(id: string): Promise<void> }>({ startToCloseTimeout: '10 seconds' });
  if (id !== null) await touch(id);
}
