/* SPDX-License-Identifier: GPL-2.0 */
/*
 * family.h - where programs get their sockets; main.c calls it
 */
#ifndef CHALK_FAMILY_H
#define CHALK_FAMILY_H

int chalk_family_register(void);
void chalk_family_unregister(void);

#endif /* CHALK_FAMILY_H */
