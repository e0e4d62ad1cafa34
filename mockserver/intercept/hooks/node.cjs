// Node loads this at its start (NODE_OPTIONS=--require): leads connections to the documented hosts to a mock.
//
// Everything in Node that speaks TCP or TLS (http, https, undici and fetch, and all that is built on them) connects by
// net.Socket.prototype.connect and tls.connect. TLS with a documented host trusts the run's CA alone: a connection that has
// come to the real service by any other way fails in its handshake, before anything is sent.
'use strict';

function lead() {
  const text = process.env.MOCKSERVER_INTERCEPT;
  if (!text) return;
  const { hosts, host, port, ca_pem: ca } = JSON.parse(text);
  const net = require('net');
  const tls = require('tls');
  const dns = require('dns');
  const PORTS = [80, 443];
  const names = [...hosts].sort();
  const standIn = (name) => {
    const number = names.indexOf(name);
    return `127.86.${Math.floor(number / 250)}.${(number % 250) + 1}`;
  };
  const byStandIn = new Map(names.map((name) => [standIn(name), name]));

  // The documented host that a name or a stand-in address means; undefined for any other.
  function documented(value) {
    if (typeof value !== 'string') return undefined;
    const name = value.replace(/\.$/, '').toLowerCase();
    if (byStandIn.has(name)) return byStandIn.get(name);
    return names.includes(name) ? name : undefined;
  }

  function led(options) {
    const name = documented(options.host) || documented(options.hostname);
    if (name === undefined || options.path) return options;
    if (!PORTS.includes(Number(options.port))) {
      const sentence =
        `${name} is led to the mock server, which stands for its ports 443 and 80 alone, not for ${options.port}`;
      throw Object.assign(new Error(sentence), { code: 'ECONNREFUSED' });
    }
    return { ...options, host, port, lookup: undefined };
  }

  const realConnect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function connect(...args) {
    try {
      if (Array.isArray(args[0])) {
        args[0][0] = led(args[0][0]); // as net.connect hands its arguments on
      } else if (args[0] !== null && typeof args[0] === 'object') {
        args[0] = led(args[0]);
      } else if (typeof args[1] === 'string') {
        const to = led({ port: args[0], host: args[1] });
        args[0] = to.port;
        args[1] = to.host;
      }
    } catch (error) {
      process.nextTick(() => this.destroy(error));
      return this;
    }
    return realConnect.apply(this, args);
  };

  const realTls = tls.connect;
  tls.connect = function connect(...args) {
    const options = Object.assign({}, ...args.filter((arg) => arg !== null && typeof arg === 'object'));
    const callback = args.find((arg) => typeof arg === 'function');
    if (typeof args[0] !== 'object') {
      options.port = args[0];
      if (typeof args[1] === 'string') options.host = args[1];
    }
    const name = documented(options.servername) || documented(options.host);
    if (name === undefined) return realTls.apply(this, args);
    delete options.secureContext;
    const trusted = { ...options, servername: name, ca, rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] };
    return callback ? realTls.call(this, trusted, callback) : realTls.call(this, trusted);
  };

  function notHere(name) {
    const sentence = `${name} is led to the mock server and has no such record`;
    return Object.assign(new Error(sentence), { code: 'ENODATA', hostname: name });
  }

  function patchLookUps(owner, promises) {
    for (const method of ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveCname', 'resolveSrv']) {
      const real = owner[method];
      if (typeof real !== 'function') continue;
      owner[method] = function (asked, ...rest) {
        const name = documented(asked);
        if (name === undefined) return real.call(this, asked, ...rest);
        const callback = rest.find((arg) => typeof arg === 'function');
        const options = rest.find((arg) => arg !== null && typeof arg === 'object') || {};
        const address = standIn(name);
        let answer;
        if (method === 'lookup') answer = options.all ? [{ address, family: 4 }] : { address, family: 4 };
        else if (method === 'resolve4' || (method === 'resolve' && (typeof rest[0] !== 'string' || rest[0] === 'A'))) {
          answer = [address];
        }
        if (promises) return answer ? Promise.resolve(answer) : Promise.reject(notHere(name));
        process.nextTick(() => {
          if (!answer) callback(notHere(name));
          else if (method === 'lookup' && !options.all) callback(null, address, 4);
          else callback(null, answer);
        });
        return {};
      };
    }
  }
  patchLookUps(dns, false);
  patchLookUps(dns.promises, true);
  patchLookUps(dns.Resolver.prototype, false);
  patchLookUps(dns.promises.Resolver.prototype, true);
  require('module').syncBuiltinESMExports();
}

try {
  lead();
} catch (error) { // to go on without it would be to call the paid services
  process.stderr.write(`mockserver: the hook for Node does not work here, so nothing is run: ${error.stack}\n`);
  process.exit(1);
}
