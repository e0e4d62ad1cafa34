// A program as its author wrote it: undici, as a package of its own.
const { request } = require('undici');

const URL = 'https://api.xhuoapi.ai/v1/openai/images/generations';
const post = (key) => request(URL, {
  method: 'POST',
  headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-image-2', prompt: 'a fox' }),
});

async function main() {
  const { url } = (await (await post('k')).body.json()).data[0];
  const picture = Buffer.from(await (await request(url)).body.arrayBuffer()).toString('base64');
  const refused = await post('k-mock-402');
  const error = `${refused.statusCode} ${(await refused.body.json()).error.code}`;
  console.log(JSON.stringify({ url, picture, error }));
}
main();
