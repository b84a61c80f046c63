-- SPDX-License-Identifier: GPL-2.0
-- chalk.lua - Wireshark and tshark read Chalk: IP protocol 253 as TCP, 254 as
-- UDP, over IPv4 and IPv6.
--
-- Owns the checksum. Wireshark's dissectors sum with the protocol numbers of TCP
-- and UDP, so they call every packet of Chalk damaged; here it is summed with
-- the right one. All else is theirs: tcp.seq, tcp.analysis.* and so on work.

local STREAM, DATAGRAM = 253, 254

local status_names = { [0] = "wrong", [1] = "right", [2] = "not all captured" }
local status = ProtoField.uint8("chalk.checksum.status", "Checksum", base.DEC,
	status_names)
local expected = ProtoField.uint16("chalk.checksum.expected",
	"Checksum that would be right", base.HEX)
local wrong = ProtoExpert.new("chalk.checksum.wrong", "The checksum is wrong",
	expert.group.CHECKSUM, expert.severity.ERROR)

-- Sum of the 16-bit words, RFC 1071; an odd byte counts as the high one.
local function sum(range, total)
	local len = range:len()

	for i = 0, len - 2, 2 do
		total = total + range:range(i, 2):uint()
	end
	if len % 2 == 1 then
		total = total + range:range(len - 1, 1):uint() * 256
	end
	return total
end

local function fold(total)
	while total > 0xffff do
		total = total % 0x10000 + math.floor(total / 0x10000)
	end
	return total
end

local ip_src, ip_dst = Field.new("ip.src"), Field.new("ip.dst")
local ip6_src, ip6_dst = Field.new("ipv6.src"), Field.new("ipv6.dst")

-- Sum of the innermost addresses.
local function sum_addresses(total)
	local fields = { ip_src, ip_dst }

	if not ip_src() then
		fields = { ip6_src, ip6_dst }
	end
	for _, field in ipairs(fields) do
		local all = { field() }
		total = sum(all[#all].range, total)
	end
	return total
end

-- The checksum that belongs into a packet where @at has another.
local function right_checksum(tvb, number, at)
	local total = sum_addresses(number + tvb:len())

	total = sum(tvb(), total) - tvb(at, 2):uint()
	total = 0xffff - fold(total)
	-- a datagram without a checksum has 0 there, RFC 768
	if number == DATAGRAM and total == 0 then
		return 0xffff
	end
	return total
end

local function add_checksum(proto, tvb, tree, number, at)
	local sub = tree:add(proto, tvb())

	if tvb:len() < tvb:reported_len() or tvb:len() < at + 2 then
		sub:add(status, 2):set_generated()
		return
	end
	local right = right_checksum(tvb, number, at)
	if right == tvb(at, 2):uint() then
		sub:add(status, tvb(at, 2), 1):set_generated()
		return
	end
	sub:add(status, tvb(at, 2), 0):set_generated()
	sub:add(expected, tvb(at, 2), right):set_generated()
	sub:add_proto_expert_info(wrong)
end

-- A protocol that looks like @like, with its checksum at byte @at.
local function register(name, long_name, number, like, at)
	local proto = Proto(name, long_name)
	local dissector = Dissector.get(like)

	if number == STREAM then
		proto.fields = { status, expected }
		proto.experts = { wrong }
	end
	function proto.dissector(tvb, pinfo, tree)
		-- first, since a broken payload ends the other
		add_checksum(proto, tvb, tree, number, at)
		dissector:call(tvb, pinfo, tree)
		-- unless a program on top of it has put its own name there
		if tostring(pinfo.cols.protocol):lower() == like then
			pinfo.cols.protocol = name:upper()
		end
	end
	DissectorTable.get("ip.proto"):add(number, proto)
end

register("chalk", "Chalk", STREAM, "tcp", 16)
register("chalk_dgram", "Chalk datagram", DATAGRAM, "udp", 6)
