/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pcap.h - what leaves and what reaches the hosts of one side, as a capture
 */
#ifndef CHALK_SIM_PCAP_H
#define CHALK_SIM_PCAP_H

#include "packet.h"

struct pcap;

/**
 * pcap_open() - begin a capture
 * @path: file
 *
 * Return: the capture, or NULL with errno set.
 */
struct pcap *pcap_open(const char *path);

/**
 * pcap_close() - the counterpart of pcap_open()
 * @c: the capture, or NULL
 *
 * Return: false if not all could be written; errno is set.
 */
bool pcap_close(struct pcap *c);

/**
 * pcap_packet() - a packet passes
 * @c: the capture, or NULL
 * @w: the world
 * @p: the packet
 */
void pcap_packet(struct pcap *c, const struct world *w, const struct packet *p);

#endif /* CHALK_SIM_PCAP_H */
