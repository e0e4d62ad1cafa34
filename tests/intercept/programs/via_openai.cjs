// A program as its author wrote it: the OpenAI SDK for Node with xhuoapi's address.
const { OpenAI } = require('openai');

const client = (apiKey) => new OpenAI({ baseURL: 'https://api.xhuoapi.ai/v1/openai', apiKey });

async function main() {
  const { url } = (await client('k').images.generate({ model: 'gpt-image-2', prompt: 'a fox' })).data[0];
  const picture = Buffer.from(await (await fetch(url)).arrayBuffer()).toString('base64');
  try {
    await client('k-mock-402').images.generate({ model: 'gpt-image-2', prompt: 'a fox' });
  } catch (error) {
    console.log(JSON.stringify({ url, picture, error: error.constructor.name }));
  }
}
main();
