/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace_points.h - the tracepoints chalk:*, one for each kind of event
 *
 * For perf, trace-cmd and bpftrace. All are of one class and have all that the
 * record of uapi/chalk_trace.h has, and the stamp that tells the order of the
 * trace, since the buffer of another CPU may have a later clock. While one is on
 * its namespaces' events are emitted, as for a reader.
 *
 * As the kernel wants it of such a file, it is read several times over.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM chalk

#if !defined(CHALK_TRACE_POINTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define CHALK_TRACE_POINTS_H

#include <linux/tracepoint.h>

#include "core/state.h"
#include "trace.h"

/* clang-format off */

/* Names for the numbers, also where a tool formats the records itself. */
#define X(id, name, clause) TRACE_DEFINE_ENUM(BY_##id);
EVENT_CAUSES(X)
#undef X
#define X(id, name, clause) TRACE_DEFINE_ENUM(DROP_##id);
DROP_REASONS(X)
#undef X
TRACE_DEFINE_ENUM(NR_CAUSES);

#define CHALK_CAUSE(id, name, clause) { BY_##id, name },
#define CHALK_DROP(id, name, clause) { DROP_##id, name },
#define chalk_show_cause(cause) \
	__print_symbolic(cause, EVENT_CAUSES(CHALK_CAUSE) \
			 DROP_REASONS(CHALK_DROP) { NR_CAUSES, "?" })

TRACE_DEFINE_ENUM(ST_ESTABLISHED);
TRACE_DEFINE_ENUM(ST_SYN_SENT);
TRACE_DEFINE_ENUM(ST_SYN_RCVD);
TRACE_DEFINE_ENUM(ST_FIN_WAIT_1);
TRACE_DEFINE_ENUM(ST_FIN_WAIT_2);
TRACE_DEFINE_ENUM(ST_TIME_WAIT);
TRACE_DEFINE_ENUM(ST_CLOSED);
TRACE_DEFINE_ENUM(ST_CLOSE_WAIT);
TRACE_DEFINE_ENUM(ST_LAST_ACK);
TRACE_DEFINE_ENUM(ST_LISTEN);
TRACE_DEFINE_ENUM(ST_CLOSING);

#define chalk_show_state(state) \
	__print_symbolic(state, \
		{ ST_ESTABLISHED, "ESTABLISHED" }, \
		{ ST_SYN_SENT, "SYN_SENT" }, \
		{ ST_SYN_RCVD, "SYN_RCVD" }, \
		{ ST_FIN_WAIT_1, "FIN_WAIT_1" }, \
		{ ST_FIN_WAIT_2, "FIN_WAIT_2" }, \
		{ ST_TIME_WAIT, "TIME_WAIT" }, \
		{ ST_CLOSED, "CLOSED" }, \
		{ ST_CLOSE_WAIT, "CLOSE_WAIT" }, \
		{ ST_LAST_ACK, "LAST_ACK" }, \
		{ ST_LISTEN, "LISTEN" }, \
		{ ST_CLOSING, "CLOSING" })

#define chalk_show_flags(flags) \
	__print_flags(flags, "", { 1, "F" }, { 2, "S" }, { 4, "R" }, \
		      { 8, "P" }, { 16, "A" }, { 32, "U" }, { 64, "E" }, \
		      { 128, "C" })

DECLARE_EVENT_CLASS(chalk_event,
	TP_PROTO(const struct chalk_item *it),
	TP_ARGS(it),
	TP_STRUCT__entry(
		/* the name of the cause, for bpftrace: str(kptr(args->why)) */
		__field(const char *, why)
		__field(u64, stamp)
		__field(u32, netns)
		__field(u32, conn)
		__array(u8, laddr, 16)
		__array(u8, raddr, 16)
		__field(u16, lport)
		__field(u16, rport)
		__field(u8, cause)
		__field(u8, state)
		__field(u8, flags)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u32, wnd)
		__field(u32, old)
		__field(u32, new)
		__field(u32, snd_una)
		__field(u32, snd_nxt)
		__field(u32, rcv_nxt)
		__field(u32, cwnd)
		__field(u32, ssthresh)
		__field(u32, flight)
		__field(u32, snd_wnd)
		__field(u32, rcv_wnd)
		__field(u32, srtt)
		__field(u32, rttvar)
		__field(u32, rto)
		__field(u32, unsent)
		__field(u32, unread)
		__field(u32, ooo)
		__field(u32, mss)
	),
	TP_fast_assign(
		__entry->why = cause_name(it->ev->cause);
		__entry->stamp = it->stamp;
		__entry->netns = it->netns;
		__entry->conn = it->ev->conn;
		memcpy(__entry->laddr, &it->ends->laddr, 16);
		memcpy(__entry->raddr, &it->ends->raddr, 16);
		__entry->lport = it->ends->lport;
		__entry->rport = it->ends->rport;
		__entry->cause = it->ev->cause;
		__entry->state = it->ev->state;
		__entry->flags = it->ev->flags;
		__entry->seq = it->ev->seq;
		__entry->ack = it->ev->ack;
		__entry->len = it->ev->len;
		__entry->wnd = it->ev->wnd;
		__entry->old = it->ev->old;
		__entry->new = it->ev->new;
		__entry->snd_una = it->ev->snd_una;
		__entry->snd_nxt = it->ev->snd_nxt;
		__entry->rcv_nxt = it->ev->rcv_nxt;
		__entry->cwnd = it->ev->cwnd;
		__entry->ssthresh = it->ev->ssthresh;
		__entry->flight = it->ev->flight;
		__entry->snd_wnd = it->ev->snd_wnd;
		__entry->rcv_wnd = it->ev->rcv_wnd;
		__entry->srtt = it->ev->srtt;
		__entry->rttvar = it->ev->rttvar;
		__entry->rto = it->ev->rto;
		__entry->unsent = it->ev->unsent;
		__entry->unread = it->ev->unread;
		__entry->ooo = it->ev->ooo;
		__entry->mss = it->ev->mss;
	),
	TP_printk("netns=%u conn=%u local=[%pI6c]:%u remote=[%pI6c]:%u cause=(%s) state=%s flags=%s seq=%u ack=%u len=%u wnd=%u old=%u new=%u snd_una=%u snd_nxt=%u rcv_nxt=%u cwnd=%u ssthresh=%u flight=%u snd_wnd=%u rcv_wnd=%u srtt=%u rttvar=%u rto=%u unsent=%u unread=%u ooo=%u mss=%u stamp=%llu",
		  __entry->netns, __entry->conn, __entry->laddr,
		  __entry->lport, __entry->raddr, __entry->rport,
		  chalk_show_cause(__entry->cause),
		  chalk_show_state(__entry->state),
		  chalk_show_flags(__entry->flags), __entry->seq,
		  __entry->ack, __entry->len, __entry->wnd, __entry->old,
		  __entry->new, __entry->snd_una, __entry->snd_nxt,
		  __entry->rcv_nxt, __entry->cwnd, __entry->ssthresh,
		  __entry->flight, __entry->snd_wnd, __entry->rcv_wnd,
		  __entry->srtt, __entry->rttvar, __entry->rto,
		  __entry->unsent, __entry->unread, __entry->ooo,
		  __entry->mss, __entry->stamp)
);

#define X(id, name) \
	DEFINE_EVENT_FN(chalk_event, chalk_##name, \
		TP_PROTO(const struct chalk_item *it), TP_ARGS(it), \
		chalk_points_on, chalk_points_off);
EVENT_KINDS(X)
#undef X

/* clang-format on */

#endif /* CHALK_TRACE_POINTS_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH watch
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace_points
#include <trace/define_trace.h>
