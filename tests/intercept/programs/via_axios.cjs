// A program as its author wrote it: axios.
const axios = require('axios');

const URL = 'https://api.xhuoapi.ai/v1/openai/images/generations';
const post = (key) =>
  axios.post(URL, { model: 'gpt-image-2', prompt: 'a fox' }, { headers: { authorization: `Bearer ${key}` } });

async function main() {
  const { url } = (await post('k')).data.data[0];
  const picture = Buffer.from((await axios.get(url, { responseType: 'arraybuffer' })).data).toString('base64');
  try {
    await post('k-mock-402');
  } catch (error) {
    console.log(JSON.stringify({ url, picture, error: error.name }));
  }
}
main();
