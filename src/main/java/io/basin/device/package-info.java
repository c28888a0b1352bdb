/**
 * The seam: declare, bind, replay. A net is described by small records; a device plans them, fixing shapes, layouts and
 * algorithms while every operation declares its memory; everything is allocated once; from then on a training step is
 * a flat list of calls. Nothing here imports a device: {@link java.util.ServiceLoader} finds them.
 */
package io.basin.device;
