# From the proxy's realize hook into the device's, as one does it with gdb on QEMU itself:
#   ringscope debug realize --batch --echo -x realize-walk
# Breakpoint 1 is the scenario's own: virtio_net_device_realize.
enable 1
tbreak virtio_net_set_netclient_name
run
finish
next
next
step
print *obj
print *obj->class
print *(struct TypeImpl*)0x5555563105a0
continue
backtrace 6
