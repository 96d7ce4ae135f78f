/** Lines for other programs that watch what the page watches. */

/** For a shell: in single quotes, which nothing inside can leave. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Of `websocat` 1; its own buffer of 64 KiB is too small for large exports. Behind `-H` and a space it
 * would take the address for one more header.
 */
export function websocat(address, withToken) {
  const header = withToken ? ' -H="Authorization: Bearer $TOKEN"' : '';
  return `websocat -B 16777216${header} ${quoted(address)}`;
}

/** Of `curl`, for the lines of JSON that the relay sends over plain HTTP. */
export function curl(address, withToken) {
  const header = withToken ? ' -H "Authorization: Bearer $TOKEN"' : '';
  return `curl -N${header} ${quoted(address)}`;
}

/** Of Python, with `pip install websockets`. A frame of points has a line for each. */
export function python(address, withToken) {
  const header = withToken ? ',\n        additional_headers={"Authorization": f"Bearer {os.environ[\'TOKEN\']}"}' : '';
  const imports = withToken ? 'asyncio, json, os, websockets' : 'asyncio, json, websockets';
  return `import ${imports}

async def main():
    async with websockets.connect(
        ${JSON.stringify(address)}, max_size=None${header}
    ) as frames:
        async for frame in frames:
            for line in filter(None, frame.split("\\n")):
                print(json.loads(line))

asyncio.run(main())`;
}
