// An S3 server of others in a process of its own, so that it can be killed: takes a folder and a
// port, prints the port, then a line for each request.

import S3rver from "s3rver";

const [directory, port] = process.argv.slice(2);
const server = new S3rver({
  address: "127.0.0.1",
  port: Number(port),
  directory,
  configureBuckets: [{ name: "films" }],
});
console.log(`port ${(await server.run()).port}`);
