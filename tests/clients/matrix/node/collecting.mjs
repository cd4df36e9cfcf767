// A stream's events as a list; an error that ends it carries those before it.
export async function collected(stream) {
  const before = [];
  try {
    for await (const event of stream) before.push(event);
  } catch (error) {
    throw Object.assign(error, { before });
  }
  return before;
}
