// A program as its author wrote it: Node's own fetch.
const URL = 'https://api.xhuoapi.ai/v1/openai/images/generations';
const post = (key) => fetch(URL, {
  method: 'POST',
  headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-image-2', prompt: 'a fox' }),
});
const { url } = (await (await post('k')).json()).data[0];
const picture = Buffer.from(await (await fetch(url)).arrayBuffer()).toString('base64');
const refused = await post('k-mock-402');
const error = `${refused.status} ${(await refused.json()).error.code}`;
console.log(JSON.stringify({ url, picture, error }));
