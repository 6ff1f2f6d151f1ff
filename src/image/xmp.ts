// An XMP packet is RDF in XML: one rdf:Description per program is enough for what it adds.

/** The namespace of what this program adds. */
const NAMESPACE = "imago:ns:1.0/";
const XMP = "http://ns.adobe.com/xap/1.0/";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

const empty = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}"></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const unescaped = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (name) return named[name] ?? whole;
    return String.fromCharCode(hex ? Number.parseInt(hex, 16) : Number(decimal));
  });

/** What this program added: an element, or an attribute where another program has put the packet into its own form. */
const records = /<imago:provenance>([^<]*)<\/imago:provenance>|imago:provenance=(?:"([^"<]*)"|'([^'<]*)')/g;
/** A description that holds nothing, or a program's name alone. */
const hollow =
  /<rdf:Description\b([^<>]*)>\s*(?:<xmp:CreatorTool>imago [^<]*<\/xmp:CreatorTool>\s*)?<\/rdf:Description>\s*/g;

/** The packet without what this program added; undefined where nothing else is in it. */
export function withoutRecord(packet: string): string | undefined {
  const without = packet
    .replace(records, "")
    .replace(hollow, (whole, attributes: string) => (attributes.includes(NAMESPACE) ? "" : whole));
  return without !== packet && /<rdf:RDF[^<>]*>\s*<\/rdf:RDF>/.test(without) ? undefined : without;
}

/**
 * A packet with a text of this program's added, in place of an earlier one; what else it says stays. The program's name
 * is put in where none stands. Without a packet, or with one that holds no RDF and so says nothing, a new one is made.
 */
export function withRecord(packet: string | undefined, text: string, software: string): string {
  const before = (packet && withoutRecord(packet)) ?? empty;
  const end = /<\/(?:[\w.-]+:)?RDF>/.exec(before);
  if (!end) return withRecord(undefined, text, software);
  const about = /rdf:about=(?:"([^"]*)"|'([^']*)')/.exec(before);
  const creator = /:CreatorTool\b/.test(before) ? "" : `<xmp:CreatorTool>${escaped(software)}</xmp:CreatorTool>`;
  const added = `<rdf:Description xmlns:rdf="${RDF}" rdf:about="${about?.[1] ?? about?.[2] ?? ""}" xmlns:xmp="${XMP}" xmlns:imago="${NAMESPACE}"><imago:provenance>${escaped(text)}</imago:provenance>${creator}</rdf:Description>`;
  return before.slice(0, end.index) + added + before.slice(end.index);
}

/** The text that this program added to a packet; undefined where there is none. */
export function recordIn(packet: string): string | undefined {
  const [found] = packet.matchAll(records);
  const text = found?.slice(1).find((part) => part !== undefined);
  return text === undefined ? undefined : unescaped(text);
}
