// What the sample uses of axios, over fetch, so that the test needs no download.
exports.post = async (url, data, { headers }) => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(data) });
    if (!response.ok) throw new Error(`Request failed with status code ${response.status}`);
    return { status: response.status, data: await response.json() };
};
