// A program as its author wrote it: Node's https module.
import https from 'https';

function call(url, options, body) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, options, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const URL = 'https://api.xhuoapi.ai/v1/openai/images/generations';
const post = (key) => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return call(URL, { method: 'POST', headers }, JSON.stringify({ model: 'gpt-image-2', prompt: 'a fox' }));
};
const { url } = JSON.parse((await post('k')).body).data[0];
const picture = (await call(url, {})).body.toString('base64');
const refused = await post('k-mock-402');
console.log(JSON.stringify({ url, picture, error: `${refused.status} ${JSON.parse(refused.body).error.code}` }));
