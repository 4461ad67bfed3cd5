# make install: the binary, the shared library with its headers and pkg-config file, and the OpenVINO runtime beside them.
set(ITS_PRIVATE_LIBDIR ${CMAKE_INSTALL_LIBDIR}/its-camera-ai)
