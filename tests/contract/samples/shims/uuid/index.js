// What the sample uses of uuid.
exports.v4 = require('crypto').randomUUID;
