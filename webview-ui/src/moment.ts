/** `14:32`, with the day in front unless it is today; in the language and zone of the editor. */
export function moment(at: string, nowMs = Date.now()): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const isToday = date.toDateString() === new Date(nowMs).toDateString();
  return isToday ? time : `${date.toLocaleDateString()} ${time}`;
}
