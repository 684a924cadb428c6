// The pipe ends with whoever started this process, however that ends: no proxy is left behind.
process.stdin.on('end', () => process.exit(0)).resume();
